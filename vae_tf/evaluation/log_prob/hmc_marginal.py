"""The marginal likelihood estimator of the AEVB paper, from draws of the posterior."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

from vae_tf.evaluation.batching import (
    Progress,
    as_batch_size,
    as_examples,
    as_tensors,
    batches,
    compiled,
    latents_at_once,
)
from vae_tf.evaluation.log_prob.log_prob_estimate import LogProbEstimate, joined, log_mean_exp
from vae_tf.evaluation.log_prob.pareto_k import pareto_k
from vae_tf.inference.batch import Batch
from vae_tf.inference.hmc import JitteredHMC, Target, adapt
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed, fold_in

# Posterior mass of the ellipsoid that the fitted density is cut off at.
_MASS = 0.9
# Of a chain that did not move at all.
_LEAST_VARIANCE = 1e-12


def hmc_marginal_likelihood(
    vae: LatentVariableModel,
    x: Any,
    num_draws: int = 50,
    num_chains: int = 16,
    *,
    num_leapfrog_steps: int = 10,
    warm_up_steps: int = 200,
    seed: Seed = 0,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> LogProbEstimate:
    """Log p(x) of each example from draws of p(z|x) alone: Kingma and Welling (2014), appendix D.

    Hamiltonian Monte Carlo draws z from p(z|x), starting at draws from q(z|x) that are resampled by
    their importance weights. A density g is fitted to each half of the draws, and the other half gives

        1 / p(x) ≈ mean of g(z) / (p(x|z) p(z)),   z ~ p(z|x).

    The paper leaves the density open. Here g is a mixture of normals, one with the mean and the
    covariance of each chain, cut off at the ellipsoid that holds 90 % of it (Geweke 1999, Using
    Simulation Methods for Bayesian Econometric Models, section 4.3): without the cut the ratio has no
    bound in the tails. One normal for all chains would reach between modes, where no chain is: the
    estimate would be too large by what it has there.

    Valid for few latent dimensions only: the paper says fewer than 5 and uses 3. Above that the
    normal fits worse and the ratio's variance grows quickly. `errors` come from the spread of the C
    chains' means. `r_hat` is of log p(x, z) over the chains, and `pareto_k` of all ratios: it is
    large where g reaches to where no chain has been, as between two modes. Neither knows of a mode
    that no chain has found.

    Args:
        vae: The model.
        x: `[N, *event]`, or a dataset; see `as_examples`.
        num_draws: int. Draws in each half of a chain, above the number of latent dimensions.
            Defaults to 50, the paper's number.
        num_chains: int. C, independent chains an example, at least 2. Defaults to 16.
        num_leapfrog_steps: int. Of each HMC step. Defaults to 10.
        warm_up_steps: int. HMC steps before the first draw; the first half of them settles the step
            sizes. Defaults to 200.
        seed: int, int tensor of shape [2], or None for fresh draws. Defaults to 0.
        batch_size: int. Examples at once. Defaults to what 16 MiB of decoder outputs hold.
        progress: Called with "HMC marginal likelihood", examples done, and N.

    Returns:
        `LogProbEstimate`, with the share of HMC proposals that were accepted. K is C.

    Raises:
        InputError: for no examples, wrong ones, an argument out of its range, or too few draws to
            fit a covariance to.
    """
    examples = as_examples(vae, x)
    chains = as_count("num_chains", num_chains, least=2)
    num_draws = as_count("num_draws", num_draws)
    leapfrog_steps = as_count("num_leapfrog_steps", num_leapfrog_steps)
    warm_up_steps = as_count("warm_up_steps", warm_up_steps)
    if num_draws <= vae.latent_dim:
        raise InputError(
            f"num_draws is {num_draws}, too few to fit a covariance of {vae.latent_dim} latent "
            "dimensions to; give more."
        )
    run = compiled(
        vae,
        _reciprocal(
            vae,
            chains=chains,
            num_draws=num_draws,
            leapfrog_steps=leapfrog_steps,
            warm_up_steps=warm_up_steps,
        ),
        latents=len(examples) * chains * (2 * num_draws + warm_up_steps) * leapfrog_steps,
    )
    size = as_batch_size(batch_size, len(examples), latents_at_once(vae) // chains)
    seed = as_seed(seed)
    found, mixing, accepted = [], [], []
    for number, batch, count in batches(examples, size):
        log_ratio, r_hat, acceptance = run(as_tensors(batch), fold_in(seed, number))
        of_draws = log_ratio.numpy()[:, :, :count].astype(np.float64)  # [2 T, C, B]
        # The draws of a chain depend on one another, so the error is that of the chains' means.
        by_chain = log_mean_exp(np.logaddexp.reduce(of_draws) - np.log(len(of_draws)))
        shape = pareto_k(of_draws.reshape(-1, count), of_draws[..., 0].size)
        found.append(by_chain._replace(value=-by_chain.value, pareto_k=shape))
        mixing.append(r_hat.numpy()[:count].astype(np.float64))
        accepted.append(acceptance.numpy()[:count])
        if progress:
            progress("HMC marginal likelihood", number * size + count, len(examples))
    all_found = joined(found)
    return LogProbEstimate(
        "HMC marginal likelihood",
        all_found.value,
        all_found.error,
        chains,
        float(np.concatenate(accepted).mean()),
        all_found.effective_sample_size,
        all_found.pareto_k,
        np.concatenate(mixing),
    )


def _reciprocal(
    vae: LatentVariableModel,
    *,
    chains: int,
    num_draws: int,
    leapfrog_steps: int,
    warm_up_steps: int,
) -> Callable[[Batch, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
    def run(batch: Batch, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Log ratios, `[2 T, C, B]`; R-hat and shares of accepted proposals, `[B]` each."""
        target = Target(vae, batch)
        adapting = (warm_up_steps + 1) // 2
        chain = adapt(target, chains, adapting, leapfrog_steps, fold_in(seed, 0))
        z, (log_p_x_and_z, accepted) = tfp.mcmc.sample_chain(
            num_results=2 * num_draws,
            num_burnin_steps=warm_up_steps - adapting,
            current_state=chain.state,
            kernel=JitteredHMC(target.log_joint, chain.step_size, leapfrog_steps),
            trace_fn=lambda _, results: (
                results.inner_results.accepted_results.target_log_prob,
                results.inner_results.is_accepted,
            ),
            seed=fold_in(seed, 1),
        )  # [2 T, C, B, D], [2 T, C, B] each
        first, second = z[:num_draws], z[num_draws:]
        log_g = tf.concat(
            [
                tf.map_fn(_cut_normals(second), first),
                tf.map_fn(_cut_normals(first), second),
            ],
            axis=0,
        )
        log_ratio = log_g - log_p_x_and_z  # [2 T, C, B]
        # Halves of chains tell a chain that still drifts from one that has arrived.
        r_hat = tfp.mcmc.potential_scale_reduction(log_p_x_and_z, split_chains=num_draws > 1)
        return log_ratio, r_hat, tf.reduce_mean(tf.cast(accepted, log_ratio.dtype), axis=[0, 1])

    return run


def _cut_normals(z: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
    """Log density of the mixture of the normals fitted to the C chains of `[T, C, B, D]` draws.

    Each normal is cut off at the ellipsoid of `_MASS`.

    Returns:
        A function `[C, B, D]` -> `[C, B]`.
    """
    chains, dimensions = z.shape[1], z.shape[-1]
    mean = tf.reduce_mean(z, axis=0)  # [C, B, D]
    covariance = tfp.stats.covariance(z, sample_axis=0, event_axis=-1)  # [C, B, D, D]
    # Draws that hardly move leave a covariance that is singular in float32.
    trace = tf.linalg.trace(covariance)[..., tf.newaxis]
    ridge = 1e-6 * trace / dimensions + _LEAST_VARIANCE
    covariance = tf.linalg.set_diag(covariance, tf.linalg.diag_part(covariance) + ridge)
    normals = tfd.MultivariateNormalTriL(mean, tf.linalg.cholesky(covariance))
    # The squared radius that a standard normal is within with this probability: chi-squared.
    radius = 2 * tfp.math.igammainv(
        tf.constant(dimensions / 2, z.dtype), tf.constant(_MASS, z.dtype)
    )
    log_share = np.log(chains * _MASS)

    def log_density(z: tf.Tensor) -> tf.Tensor:
        log_g = normals.log_prob(z[:, tf.newaxis])  # [C, C, B], normals on the second axis
        squared_distance = 2 * (normals.log_prob(mean) - log_g)
        inside = squared_distance <= radius
        cut = tf.where(inside, log_g, tf.constant(-np.inf, z.dtype))
        return tf.reduce_logsumexp(cut, axis=1) - log_share

    return log_density
