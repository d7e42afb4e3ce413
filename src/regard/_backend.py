"""Importing this refuses, with advice, where Keras has no backend to run on."""

from regard_backend import require_backend

require_backend()
