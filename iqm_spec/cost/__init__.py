"""What a job costs: QPU seconds from a fitted time model, credits from a price per second."""
