"""What others subscribe to: entries about models, as feeds and as a calendar."""
