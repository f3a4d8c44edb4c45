"""Where an agent's thinking comes from."""
