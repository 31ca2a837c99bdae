"""The models, their construction from parts, and loading them."""
