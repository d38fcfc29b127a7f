#!/usr/bin/env bash
# Makes self-appearance-192.safetensors anew, in about an hour of two CPU cores:
#   weights/train_self_appearance.sh SCRATCH
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# The same seeds give the same toys, people and examples; sums are rounded as the machine at hand does it.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
name=self-appearance-192.safetensors

learn() { # RUN STEPS OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 steps=$2 resumed=()
  shift 2
  [ -f "$run/config.json" ] && resumed=(--resume)
  retarget train self-appearance --data "$scratch/toys" --data "$scratch/toys2" --data "$scratch/people" --output "$run" \
    --steps "$steps" --precision bf16 --set width=24 --set most=192 --workers 1 "${resumed[@]}" "$@"
}

retarget synth "$scratch/toys" --kind toy --clips 80 --frames 36 --size 160 --seed 0
retarget synth "$scratch/toys2" --kind toy --clips 240 --frames 20 --size 208 --seed 1000
retarget synth "$scratch/people" --clips 40 --frames 30 --size 160 --seed 0
learn trunk 1600 --size 128 --batch 4 --rate 4e-4 --ema 0.99 --seed 0 --set evolution=off --set appearance=off
learn whole 1000 --size 128 --batch 4 --rate 4e-4 --decay --ema 0.995 --seed 1 \
  --set evolution=rk4 --set appearance=on --init "$scratch/trunk/weights.safetensors"
learn last 900 --size 192 --batch 2 --rate 3e-4 --decay --ema 0.995 --seed 2 --init "$scratch/whole/weights.safetensors"

python -m retarget_cli.weights.shipping "$scratch/last/weights.safetensors" "weights/$name" \
  --license "Apache-2.0" \
  --made-by "weights/train_self_appearance.sh SCRATCH" \
  --provenance "retarget train self-appearance from nothing, in bf16: 1600 steps of 4 at 128 px without evolution and self-appearance, 1000 of 4 with both, 900 of 2 at 192 px, on two CPU cores; no VGG-19, its declared substitute" \
  --data "320 clips of toys and cartoons and 40 of people, all of retarget synth (seeds 0 and 1000; CC0)"
