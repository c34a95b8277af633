"""What operators run it with: releases, containers, monitoring; the files of `deploy/` are true."""
