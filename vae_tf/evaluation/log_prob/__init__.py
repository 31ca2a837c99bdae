"""Estimators of log p(x) and of the two terms of the ELBO, in nats."""
