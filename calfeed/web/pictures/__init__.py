"""Pictures of dates, for sites and apps that show a preview of a link (the extra `pictures`)."""
