"""Annealed importance sampling of log p(x)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

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
from vae_tf.inference.batch import Batch
from vae_tf.inference.hmc import JitteredHMC, Target, adapt
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed, fold_in

_STARTS = ("prior", "posterior")


def annealed_importance_sampling(
    vae: LatentVariableModel,
    x: Any,
    num_steps: int = 1000,
    num_chains: int = 16,
    *,
    start: str = "prior",
    num_leapfrog_steps: int = 10,
    warm_up_steps: int = 100,
    seed: Seed = 0,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> LogProbEstimate:
    """Log p(x) of each example by annealing from p(z), or q(z|x), to p(z|x).

    Neal (2001), Annealed Importance Sampling; for decoder-based models Wu et al. (2017), On the
    Quantitative Analysis of Decoder-Based Generative Models. Each of C chains goes through

        p_t(z) ∝ p_0(z)^(1 - t/T) · p(x, z)^(t/T),   t = 1 ... T,   p_0 = p(z) or q(z|x)

    by one step of Hamiltonian Monte Carlo for each t, and its weight is an unbiased estimate of
    p(x); the value is the logarithm of the mean of the C weights. Like L_K it falls short of log
    p(x) on average, the less the longer the chains are. Starting at the prior it owes nothing to
    the encoder but the leapfrog step sizes, which are settled before by chains on p(z|x).

    It costs about T · C · (`num_leapfrog_steps` + 2) decoder gradients an example.

    Args:
        vae: The model.
        x: `[N, *event]`, or a dataset; see `as_examples`.
        num_steps: int. T. Defaults to 1000.
        num_chains: int. C, chains an example, at least 2. Defaults to 16.
        start: "prior" or "posterior": p_0. Defaults to "prior".
        num_leapfrog_steps: int. Of each HMC step. Defaults to 10.
        warm_up_steps: int. HMC steps on p(z|x) that settle the step sizes. Defaults to 100.
        seed: int, int tensor of shape [2], or None for fresh draws. Defaults to 0.
        batch_size: int. Examples at once. Defaults to what 16 MiB of decoder outputs hold.
        progress: Called with "annealed importance sampling", examples done, and N.

    Returns:
        `LogProbEstimate`, with the share of HMC proposals that were accepted.

    Raises:
        InputError: for no examples, wrong ones, or an argument out of its range.
    """
    examples = as_examples(vae, x)
    chains = as_count("num_chains", num_chains, least=2)
    steps = as_count("num_steps", num_steps)
    leapfrog_steps = as_count("num_leapfrog_steps", num_leapfrog_steps)
    warm_up_steps = as_count("warm_up_steps", warm_up_steps)
    if start not in _STARTS:
        raise InputError(f"start is one of {', '.join(_STARTS)}; got {start!r}.")
    run = compiled(
        vae,
        _annealing(
            vae,
            chains=chains,
            steps=steps,
            start=start,
            leapfrog_steps=leapfrog_steps,
            warm_up_steps=warm_up_steps,
        ),
        latents=len(examples) * chains * (steps + warm_up_steps) * leapfrog_steps,
    )
    size = as_batch_size(batch_size, len(examples), latents_at_once(vae) // chains)
    seed = as_seed(seed)
    found, accepted = [], []
    for number, batch, count in batches(examples, size):
        log_weights, acceptance = run(as_tensors(batch), fold_in(seed, number))
        found.append(log_mean_exp(log_weights.numpy()[:, :count]))
        accepted.append(acceptance.numpy()[:, :count].mean(axis=0))
        if progress:
            progress("annealed importance sampling", number * size + count, len(examples))
    all_found = joined(found)
    return LogProbEstimate(
        f"annealed importance sampling from the {start}",
        all_found.value,
        all_found.error,
        chains,
        float(np.concatenate(accepted).mean()),
        all_found.effective_sample_size,
        all_found.pareto_k,
    )


def _annealing(
    vae: LatentVariableModel,
    *,
    chains: int,
    steps: int,
    start: str,
    leapfrog_steps: int,
    warm_up_steps: int,
) -> Callable[[Batch, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    def run(batch: Batch, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Log weights and shares of accepted proposals, `[C, B]` each."""
        target, from_prior = Target(vae, batch), start == "prior"
        step_size = adapt(target, chains, warm_up_steps, leapfrog_steps, fold_in(seed, 0)).step_size
        _, log_weights, results = tfp.mcmc.sample_annealed_importance_chain(
            num_steps=steps,
            proposal_log_prob_fn=target.log_prior if from_prior else target.log_posterior,
            target_log_prob_fn=target.log_joint,
            current_state=target.draw(chains, fold_in(seed, 1), prior=from_prior),
            make_kernel_fn=lambda log_p: JitteredHMC(log_p, step_size, leapfrog_steps),
            seed=fold_in(seed, 2),
        )
        return log_weights, results.inner_results.accepted / steps

    return run
