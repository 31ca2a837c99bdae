"""Distribution layers for Keras 3, with the names and arguments of `tfp.layers`."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.layers.base import DistributionLayer  # noqa: E402
from vae_tf.layers.categorical import Categorical  # noqa: E402
from vae_tf.layers.categorical_mixture_of_one_hot_categorical import (  # noqa: E402
    CategoricalMixtureOfOneHotCategorical,
)
from vae_tf.layers.continuous_bernoulli import ContinuousBernoulli  # noqa: E402
from vae_tf.layers.discretized_logistic import DiscretizedLogistic  # noqa: E402
from vae_tf.layers.discretized_logistic_mixture import DiscretizedLogisticMixture  # noqa: E402
from vae_tf.layers.distribution_lambda import DistributionLambda  # noqa: E402
from vae_tf.layers.elementwise import ElementwiseLayer  # noqa: E402
from vae_tf.layers.homoscedastic_normal import HomoscedasticNormal  # noqa: E402
from vae_tf.layers.independent_bernoulli import IndependentBernoulli  # noqa: E402
from vae_tf.layers.independent_logistic import IndependentLogistic  # noqa: E402
from vae_tf.layers.independent_normal import IndependentNormal  # noqa: E402
from vae_tf.layers.independent_poisson import IndependentPoisson  # noqa: E402
from vae_tf.layers.mixture_logistic import MixtureLogistic  # noqa: E402
from vae_tf.layers.mixture_normal import MixtureNormal  # noqa: E402
from vae_tf.layers.mixture_same_family import MixtureSameFamily  # noqa: E402
from vae_tf.layers.multivariate_normal_tril import MultivariateNormalTriL  # noqa: E402
from vae_tf.layers.negative_binomial import NegativeBinomial  # noqa: E402
from vae_tf.layers.one_hot_categorical import OneHotCategorical  # noqa: E402
from vae_tf.layers.variable_layer import VariableLayer  # noqa: E402

__all__ = [
    "Categorical",
    "CategoricalMixtureOfOneHotCategorical",
    "ContinuousBernoulli",
    "DiscretizedLogistic",
    "DiscretizedLogisticMixture",
    "DistributionLambda",
    "DistributionLayer",
    "ElementwiseLayer",
    "HomoscedasticNormal",
    "IndependentBernoulli",
    "IndependentLogistic",
    "IndependentNormal",
    "IndependentPoisson",
    "MixtureLogistic",
    "MixtureNormal",
    "MixtureSameFamily",
    "MultivariateNormalTriL",
    "NegativeBinomial",
    "OneHotCategorical",
    "VariableLayer",
]
