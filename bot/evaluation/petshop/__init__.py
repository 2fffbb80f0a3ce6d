"""PetShop: metrics of a shop with a call graph, and injections into its quiet history."""
