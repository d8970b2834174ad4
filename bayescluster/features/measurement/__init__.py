"""Latent capitals: loadings, reliability and invariance."""
