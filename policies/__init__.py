"""What the bot may do: Cedar rules, the hard guard behind them, and the runbooks."""
