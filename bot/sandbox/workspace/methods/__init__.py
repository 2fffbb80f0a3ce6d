"""The Web API's methods, one module per family; each has a table `METHODS`."""
