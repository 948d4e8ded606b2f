"""Recorded files of any kind -> 16 kHz mono int16 samples, by ffmpeg."""
import subprocess
import wave

import numpy as np

SAMPLE_RATE_HZ = 16000


def decode(path):
    """Decode one file. Returns int16 samples [n]; raises CalledProcessError with ffmpeg's words when it cannot."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-f", "s16le", "-ac", "1",
               "-ar", str(SAMPLE_RATE_HZ), "-"]
    return np.frombuffer(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout, "<i2")


def write_wav(path, samples):
    """Write int16 samples [n] as a 16 kHz mono WAV file."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes(np.asarray(samples, "<i2").tobytes())
