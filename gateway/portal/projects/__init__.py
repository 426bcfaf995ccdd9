"""A team's projects and service accounts, and the page of each subject: a member has one too."""
