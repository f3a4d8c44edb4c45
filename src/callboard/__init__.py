"""Callboard: a roster of coding agents on one git repository."""
