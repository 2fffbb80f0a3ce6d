"""The company's production: a simulated shop, served over subsets of the real protocols."""
