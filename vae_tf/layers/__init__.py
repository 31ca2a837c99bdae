"""Distribution layers for Keras 3, with the names and arguments of `tfp.layers`."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.layers.base import DistributionLayer
from vae_tf.layers.categorical import Categorical
from vae_tf.layers.categorical_mixture_of_one_hot_categorical import (
    CategoricalMixtureOfOneHotCategorical,
)
from vae_tf.layers.conditional import Conditional
from vae_tf.layers.continuous_bernoulli import ContinuousBernoulli
from vae_tf.layers.discretized_logistic import DiscretizedLogistic
from vae_tf.layers.discretized_logistic_mixture import DiscretizedLogisticMixture
from vae_tf.layers.distribution_lambda import DistributionLambda
from vae_tf.layers.elementwise import ElementwiseLayer
from vae_tf.layers.homoscedastic_normal import HomoscedasticNormal
from vae_tf.layers.independent_bernoulli import IndependentBernoulli
from vae_tf.layers.independent_logistic import IndependentLogistic
from vae_tf.layers.independent_normal import IndependentNormal
from vae_tf.layers.independent_poisson import IndependentPoisson
from vae_tf.layers.mixture_logistic import MixtureLogistic
from vae_tf.layers.mixture_normal import MixtureNormal
from vae_tf.layers.mixture_same_family import MixtureSameFamily
from vae_tf.layers.multivariate_normal_tril import MultivariateNormalTriL
from vae_tf.layers.negative_binomial import NegativeBinomial
from vae_tf.layers.one_hot_categorical import OneHotCategorical
from vae_tf.layers.variable_layer import VariableLayer
from vae_tf.utils.former_names import former_names

__getattr__ = former_names(
    __name__,
    {"PerElementLayer": "vae_tf.layers.ElementwiseLayer", "distributions": "vae_tf.distributions"},
)

__all__ = [
    "Categorical",
    "CategoricalMixtureOfOneHotCategorical",
    "Conditional",
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
