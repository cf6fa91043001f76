"""Sorted set commands."""
