"""Finds what fails quietly: behaviour that left its baseline while every check is green."""
