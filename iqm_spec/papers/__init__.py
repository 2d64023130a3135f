"""The papers of an allocation: the request for credits before, the usage report after."""
