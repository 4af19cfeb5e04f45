"""Middleware, in both conventions."""
