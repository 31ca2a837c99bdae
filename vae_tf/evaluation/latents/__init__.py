"""Information in the latent dimensions: activity, mutual information, labels."""
