"""Hamiltonian Monte Carlo on the posterior p(z|x) of a batch, with TFP's kernels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

from vae_tf.inference.elbo import LatentVariableModel
from vae_tf.utils.seeds import fold_in

LogDensity = Callable[[tf.Tensor], tf.Tensor]

_TARGET_ACCEPTANCE = 0.75
_FIRST_STEP = 0.5  # of the proposal's standard deviations
_ADAPTATION_RATE = 0.05
_SHORTEST_STEP = 0.5  # of the step size


def log_joint(model: LatentVariableModel, x: tf.Tensor) -> LogDensity:
    """The function z -> log p(x, z), `[C, B, D]` -> `[C, B]` nats, for x `[B, *event]`."""
    p_z = model.p_z()  # once: a prior made of posteriors runs the encoder

    def log_p(z: tf.Tensor) -> tf.Tensor:
        p_x_given_z = model.decode(z)
        return p_x_given_z.log_prob(tf.cast(x, p_x_given_z.dtype)) + p_z.log_prob(z)

    return log_p


class HMCResults(NamedTuple):
    """Results of a step of `JitteredHMC`."""

    inner_results: Any  # of `tfp.mcmc.HamiltonianMonteCarlo`
    accepted: tf.Tensor  # [C, B], how many proposals were accepted since the start


class JitteredHMC(tfp.mcmc.TransitionKernel):
    """`tfp.mcmc.HamiltonianMonteCarlo` that starts each step afresh, with a step size of its own.

    Each step of each chain draws the length of its leapfrog steps between half of `step_size` and
    all of it. With one constant length, trajectories near a multiple of the posterior's period come
    back to the distance from the mode that they came from, and the chain stays there (Neal 2011,
    MCMC Using Hamiltonian Dynamics).

    The density is evaluated anew, as `tfp.mcmc.sample_annealed_importance_chain` hands a kernel the
    log density of its state under the density of the step before: with that one it would accept
    by the wrong ratio, and the estimate of log p(x) would be biased.

    Args:
        log_density: `[C, B, D]` -> `[C, B]`.
        step_size: `[B, D]`.
        num_leapfrog_steps: int.
    """

    def __init__(
        self, log_density: LogDensity, step_size: tf.Tensor, num_leapfrog_steps: int
    ) -> None:
        self._log_density = log_density
        self._step_size = step_size
        self._num_leapfrog_steps = num_leapfrog_steps

    @property
    def is_calibrated(self) -> bool:
        """True: the density is invariant."""
        return True

    def bootstrap_results(self, init_state: tf.Tensor) -> HMCResults:
        """Results before the first step."""
        results = self._kernel(self._step_size).bootstrap_results(init_state)
        return HMCResults(results, tf.zeros_like(results.log_accept_ratio))

    def one_step(
        self, current_state: tf.Tensor, previous_kernel_results: HMCResults, seed: Any = None
    ) -> tuple[tf.Tensor, HMCResults]:
        """The next state and its results."""
        jitter_seed, step_seed = tfp.random.split_seed(seed)
        accepted = previous_kernel_results.accepted
        shape = [*current_state.shape[:-1], 1]
        jitter = tf.random.stateless_uniform(
            shape, jitter_seed, _SHORTEST_STEP, 1.0, current_state.dtype
        )
        kernel = self._kernel(jitter * self._step_size)
        fresh = kernel.bootstrap_results(current_state)
        state, results = kernel.one_step(current_state, fresh, seed=step_seed)
        return state, HMCResults(results, accepted + tf.cast(results.is_accepted, accepted.dtype))

    def _kernel(self, step_size: tf.Tensor) -> tfp.mcmc.HamiltonianMonteCarlo:
        return tfp.mcmc.HamiltonianMonteCarlo(
            self._log_density, step_size, self._num_leapfrog_steps
        )


class Chains(NamedTuple):
    """Markov chains near p(z|x), and the step size that suits them."""

    state: tf.Tensor  # [C, B, D]
    step_size: tf.Tensor  # [B, D], of the leapfrog steps


def draws(distribution: tfd.Distribution, shape: list[int], seed: tf.Tensor) -> tf.Tensor:
    """`[C, B, D]` draws with the static shape `shape`, which TFP's kernels look at."""
    leading = shape[: len(shape) - 1 - len(distribution.batch_shape)]
    return tf.ensure_shape(distribution.sample(leading, seed=seed), shape)


def adapt(
    log_density: LogDensity,
    q_z_given_x: tfd.Distribution,
    num_chains: int,
    num_steps: int,
    num_leapfrog_steps: int,
    seed: tf.Tensor,
) -> Chains:
    """Chains from q(z|x) towards the density, with step sizes that suit each example.

    The step in a dimension is proportional to the standard deviation of q(z|x) there; its size is
    adapted for each example until three proposals in four are accepted (Andrieu and Thoms 2008, A
    Tutorial on Adaptive MCMC, equation 19).

    Args:
        log_density: `[C, B, D]` -> `[C, B]`.
        q_z_given_x: Batch shape [B], event shape [D].
        num_chains: int. C, chains an example.
        num_steps: int. HMC steps, at least 1.
        num_leapfrog_steps: int. Leapfrog steps in each.
        seed: int32 tensor of shape [2].
    """
    stddev = q_z_given_x.stddev()  # [B, D]
    state = draws(q_z_given_x, [num_chains, *stddev.shape], fold_in(seed, 0))
    kernel = tfp.mcmc.SimpleStepSizeAdaptation(
        tfp.mcmc.HamiltonianMonteCarlo(log_density, _FIRST_STEP * stddev, num_leapfrog_steps),
        num_adaptation_steps=num_steps,
        target_accept_prob=tf.constant(_TARGET_ACCEPTANCE, state.dtype),
        adaptation_rate=tf.constant(_ADAPTATION_RATE, state.dtype),
    )
    chain = tfp.mcmc.sample_chain(
        num_results=1,
        num_burnin_steps=num_steps - 1,
        current_state=state,
        kernel=kernel,
        trace_fn=None,
        return_final_kernel_results=True,
        seed=fold_in(seed, 1),
    )
    return Chains(chain.all_states[-1], chain.final_kernel_results.new_step_size)
