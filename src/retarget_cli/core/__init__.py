"""Words that everything else is written in: errors, poses, motions, subjects, devices."""
