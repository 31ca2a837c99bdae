"""What the latent dimensions carry: information, activity, labels."""
