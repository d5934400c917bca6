"""Where it runs: the only home of ray. Actors, fleets, weight transport, and the `zero2one` command."""
