"""Google Gemini's generateContent, as clients speak it to us and as we speak it to Google."""
