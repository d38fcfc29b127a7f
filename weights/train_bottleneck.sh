#!/usr/bin/env bash
# Makes bottleneck-192.safetensors anew, in about an hour of one CPU core:
#   weights/train_bottleneck.sh SCRATCH
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# The same seeds give the same people and examples; sums are rounded as the machine at hand does it.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
name=bottleneck-192.safetensors

learn() { # RUN STEPS OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 steps=$2 resumed=()
  shift 2
  [ -f "$run/config.json" ] && resumed=(--resume)
  retarget train bottleneck --data "$scratch/people" --output "$run" --steps "$steps" --size 256 --batch 2 \
    --sources 3 --precision bf16 --workers 1 --set resolution=192 --set width=24 --set channels=8 "${resumed[@]}" "$@"
}

retarget synth "$scratch/people" --clips 197 --frames 16 --size 256 --seed 1000
learn base 1400 --rate 1e-3 --decay --ema 0.995 --seed 0 --set adversarial=0

python -m retarget_cli.weights.shipping "$scratch/base/weights.safetensors" "weights/$name" \
  --license "Apache-2.0" \
  --made-by "weights/train_bottleneck.sh SCRATCH" \
  --provenance "retarget train bottleneck from nothing, in bf16: 1400 steps of 2 at 192 px without opponents, on one CPU core; no VGG-19, its declared substitute" \
  --data "197 clips of people of retarget synth (seed 1000; CC0)"
