#!/usr/bin/env bash
# Makes remot-128.safetensors anew, in about an hour and a half of one CPU core:
#   weights/train_remot.sh SCRATCH
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# The same seeds give the same people and examples; sums are rounded as the machine at hand does it. The file that ships was
# made in pieces, while the method was being finished: as many steps of each stage, layouts and regions before weights of
# the frame before began small.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
name=remot-128.safetensors

run=$scratch/base
resumed=()
[ -f "$run/config.json" ] && resumed=(--resume)

retarget synth "$scratch/people" --clips 197 --frames 16 --size 256 --seed 1000
OMP_NUM_THREADS=1 retarget train remot --data "$scratch/people" --output "$run" --steps 2830 --size 160 --batch 2 \
  --rate 1e-3 --decay --ema 0.99 --precision bf16 --workers 1 --seed 0 --set resolution=128 --set width=16 \
  --set adversarial=0 --set stages=1700:680:450 "${resumed[@]}"

python -m retarget_cli.weights.shipping "$run/weights.safetensors" "weights/$name" \
  --license "Apache-2.0" \
  --made-by "weights/train_remot.sh SCRATCH" \
  --provenance "retarget train remot from nothing, in bf16, in pieces: 1700 steps for layouts, 680 for regions, 450 for the whole, of 2 films at 128 x 96 px without opponents, on one CPU core; no VGG-19, its declared substitute" \
  --data "197 clips of people of retarget synth (seed 1000; CC0)"
