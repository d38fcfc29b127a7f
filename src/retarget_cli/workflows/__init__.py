"""One plain function a verb: animate, extract, bench. They know no terminal."""
