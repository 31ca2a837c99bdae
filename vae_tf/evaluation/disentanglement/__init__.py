"""Disentanglement scores, for data whose factors of variation are known."""

from vae_tf.evaluation.disentanglement.dci import DCI, dci
from vae_tf.evaluation.disentanglement.factor_vae_score import FactorVAEScore, factor_vae_score
from vae_tf.evaluation.disentanglement.mig import MIG, mig
from vae_tf.evaluation.disentanglement.sap import SAP, sap

__all__ = ["DCI", "MIG", "SAP", "FactorVAEScore", "dci", "factor_vae_score", "mig", "sap"]
