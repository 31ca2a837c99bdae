"""Latents drawn and scored: ELBO terms, importance weights, Hamiltonian Monte Carlo."""
