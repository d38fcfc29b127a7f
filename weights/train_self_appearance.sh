#!/usr/bin/env bash
# Makes self-appearance-192.safetensors anew, in about two hours of one CPU core:
#   weights/train_self_appearance.sh SCRATCH
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# The same seeds give the same toys, people and examples; sums are rounded as the machine at hand does it. The shipped
# file's first 800 steps began with another value of the layer that merges what is borrowed: at random.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
name=self-appearance-192.safetensors

learn() { # RUN STEPS OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 steps=$2 resumed=()
  shift 2
  [ -f "$run/config.json" ] && resumed=(--resume)
  retarget train self-appearance --output "$run" --steps "$steps" --set width=24 --set most=192 --workers 1 \
    "${resumed[@]}" "$@"
}

retarget synth "$scratch/toys" --kind toy --clips 80 --frames 36 --size 160 --seed 0
retarget synth "$scratch/more" --kind toy --clips 240 --frames 20 --size 208 --seed 1000
retarget synth "$scratch/people" --clips 40 --frames 30 --size 160 --seed 0
learn first 800 --data "$scratch/toys" --data "$scratch/people" --size 128 --batch 4 --sources 4 --rate 4e-4 --ema 0.99 --seed 0
learn second 1800 --data "$scratch/more" --data "$scratch/toys" --data "$scratch/people" --size 128 --batch 4 \
  --rate 4e-4 --decay --ema 0.995 --precision bf16 --seed 1 --init "$scratch/first/weights.safetensors"
learn last 900 --data "$scratch/more" --data "$scratch/people" --size 192 --batch 2 \
  --rate 3e-4 --decay --ema 0.995 --precision bf16 --seed 2 --init "$scratch/second/weights.safetensors"

python -m retarget_cli.weights.shipping "$scratch/last/weights.safetensors" "weights/$name" \
  --license "Apache-2.0" \
  --made-by "weights/train_self_appearance.sh SCRATCH" \
  --provenance "retarget train self-appearance from nothing: 800 steps of 4 at 128 px, 1800 in bf16 with more toys, 900 of 2 at 192 px in bf16, on one CPU core; no VGG-19, its declared substitute" \
  --data "320 clips of toys and cartoons and 40 of people, all of retarget synth (seeds 0 and 1000; CC0)"
