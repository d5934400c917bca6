"""The algorithm, free of ray: trajectories, advantages, losses, the loop, checkpoints, recipes."""
