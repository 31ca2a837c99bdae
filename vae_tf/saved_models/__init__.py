"""What an exported SavedModel consists of; `vae_tf.export` puts it together."""
