"""Thousands of simulated incidents through the real door: does any harm go unaccounted for?"""
