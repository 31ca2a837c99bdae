"""What an exported SavedModel consists of; `vae_tf.saved_models.export` puts it together."""
