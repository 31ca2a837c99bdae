"""Hamiltonian Monte Carlo on the posterior of a batch, with TFP's kernels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from vae_tf.inference.batch import Batch
from vae_tf.inference.choices import draw_p, given
from vae_tf.inference.moments import moments
from vae_tf.inference.packing import Packing
from vae_tf.inference.trace import Trace
from vae_tf.inference.traceable import Traceable
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import fold_in

LogDensity = Callable[[tf.Tensor], tf.Tensor]

_TARGET_ACCEPTANCE = 0.75
_FIRST_STEP = 0.5  # of the proposal's standard deviations
_ADAPTATION_RATE = 0.05
_SHORTEST_STEP = 0.5  # of the step size
_CANDIDATES = 10  # draws from q for each start of a chain


class Target:
    """The posterior p(latents | x) of a batch up to its constant, over packed latents `[C, B, D]`.

    What does not depend on the latents, such as a prior made of posteriors, is computed once.

    Args:
        model: The model.
        batch: B examples.

    Raises:
        InputError: for a latent that is not continuous.
    """

    def __init__(self, model: Traceable, batch: Batch) -> None:
        self._model, self._batch = model, batch
        self._context = {**model.constants(), **model.context(batch)}
        one = model.infer(batch, seed=tf.zeros([2], tf.int32), **self._without_x)
        _check_continuous(one)
        self._packing = Packing(one)
        self._dtype = next(iter(one.z.values())).dtype
        self._log_joint = model.log_joint(batch, self._context)

    def log_joint(self, z: tf.Tensor) -> tf.Tensor:
        """Log p(x, latents), `[C, B]` nats."""
        return self._log_joint(self._packing.unpack(z))

    def log_prior(self, z: tf.Tensor) -> tf.Tensor:
        """Log p(latents), `[C, B]` nats."""
        return self._given(z, infer=False).log_prior

    def log_posterior(self, z: tf.Tensor) -> tf.Tensor:
        """Log q(latents | x), `[C, B]` nats."""
        return self._given(z, infer=True).log_q

    def draw(self, chains: int, seed: tf.Tensor, prior: bool = False) -> tf.Tensor:
        """`[C, B, D]` draws from the posterior, or from the prior.

        The shape is static: TFP's kernels look at it.
        """
        if prior:
            trace = self._model.trace(
                self._batch, draw_p(seed), chains, infer=False, **self._without_x
            )
        else:
            trace = self._model.infer(self._batch, chains, seed=seed, **self._without_x)
        return tf.ensure_shape(
            self._packing.pack(trace.z), [chains, self._batch.x.shape[0], sum(self._packing.sizes)]
        )

    def draw_near(self, chains: int, seed: tf.Tensor) -> tf.Tensor:
        """`[C, B, D]` draws that are nearly from p(latents | x), as far as q(latents | x) reaches.

        Of 10 C draws from q, C are kept with probabilities in proportion to their importance weights
        (sampling importance resampling, Rubin 1988). A q that is broader than p(latents | x) reaches
        into minor modes that no chain leaves again, so each mode has to get the chains that its mass
        is due.
        """

        def weighed(part: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            trace = self._model.infer(
                self._batch, chains, seed=fold_in(seed, 1, part), context=self._context
            )
            return self._packing.pack(trace.z), trace.log_weights

        # One part after the other, because the decoder's outputs of all would fill the memory.
        shape = [chains, self._batch.x.shape[0]]
        spec = tf.TensorSpec([*shape, sum(self._packing.sizes)], self._dtype)
        z, log_w = tf.map_fn(
            weighed,
            tf.range(_CANDIDATES),
            fn_output_signature=(spec, tf.TensorSpec(shape, self._dtype)),
        )
        count = _CANDIDATES * chains
        z = tf.reshape(z, [count, *shape[1:], z.shape[-1]])  # [10 C, B, D]
        log_shares = tf.nn.log_softmax(tf.reshape(log_w, [count, shape[1]]), axis=0)
        index = tfp.experimental.mcmc.resample_systematic(
            log_shares, chains, sample_shape=[], seed=fold_in(seed, 2)
        )  # [C, B]
        index = tf.clip_by_value(index, 0, count - 1)  # rounding of the sum of the shares
        kept = tf.gather(tf.transpose(z, [1, 0, 2]), tf.transpose(index), batch_dims=1)
        return tf.ensure_shape(tf.transpose(kept, [1, 0, 2]), spec.shape)

    def stddev(self, seed: tf.Tensor) -> tf.Tensor:
        """The standard deviation of the posterior in each dimension, `[B, D]`."""
        found = moments(self._model, self._batch, seed)
        return self._packing.pack({name: one.stddev for name, one in found.items()})

    @property
    def _without_x(self) -> dict[str, Any]:
        return {"context": self._context, "likelihood": False}

    def _given(self, z: tf.Tensor, infer: bool) -> Trace:
        choose = given(self._packing.unpack(z))
        return self._model.trace(self._batch, choose, z.shape[0], infer=infer, **self._without_x)


def _check_continuous(trace: Trace) -> None:
    for name, latent in trace.latents.items():
        q = latent.q
        if q is None or q.reparameterization_type != tfp.distributions.FULLY_REPARAMETERIZED:
            raise InputError(
                f"Hamiltonian Monte Carlo moves continuous latents, and {name!r} "
                f"{'is enumerated' if q is None else f'has the posterior {q.name}'}; use "
                "importance_weighted_bound."
            )


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


def adapt(
    target: Target,
    num_chains: int,
    num_steps: int,
    num_leapfrog_steps: int,
    seed: tf.Tensor,
) -> Chains:
    """Chains on the posterior, with step sizes that suit each example.

    They start at draws from q that are resampled by their weights; see `Target.draw_near`. The step
    in a dimension is proportional to the standard deviation of q(z|x) there; its size is adapted for
    each example until three proposals in four are accepted (Andrieu and Thoms 2008, A Tutorial on
    Adaptive MCMC, equation 19).

    Args:
        target: The posterior of a batch.
        num_chains: int. C, chains an example.
        num_steps: int. HMC steps, at least 1.
        num_leapfrog_steps: int. Leapfrog steps in each.
        seed: int32 tensor of shape [2].
    """
    stddev = target.stddev(fold_in(seed, 2))  # [B, D]
    state = target.draw_near(num_chains, fold_in(seed, 0))
    kernel = tfp.mcmc.SimpleStepSizeAdaptation(
        tfp.mcmc.HamiltonianMonteCarlo(target.log_joint, _FIRST_STEP * stddev, num_leapfrog_steps),
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
