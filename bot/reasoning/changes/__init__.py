"""Which of many commits broke something, or none: what a diff can do against what is seen."""
