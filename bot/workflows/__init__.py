"""The durable steps that string the packages below together; only this package knows the engine."""
