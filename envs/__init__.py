"""What the policy is asked: scenarios, dialogs, simulated users. No torch."""
