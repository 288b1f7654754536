"""How Java runs the emulators: little memory, and no work on code that will not run for long."""

from __future__ import annotations

JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""The second compiler and the parallel collector pay for a server that runs for days on cores of its own. Beside tests
they took more of the processor than the answers did: Firestore's emulator two and a half times as much in all."""
