"""Plan, sample candidates, score, select: what one question goes through."""
