#!/usr/bin/env bash
# Makes pose2video-128.safetensors anew, in about half an hour of one CPU core:
#   weights/train_pose2video.sh SCRATCH
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# The same seeds give the same people and examples; sums are rounded as the machine at hand does it. The file that ships was
# made with these commands, before there was the loss of what is left without the green.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
name=pose2video-128.safetensors

run=$scratch/base
resumed=()
[ -f "$run/config.json" ] && resumed=(--resume)

retarget synth "$scratch/people" --clips 240 --frames 24 --size 192 --seed 1000 --views 1 --with none
OMP_NUM_THREADS=1 retarget train pose2video --data "$scratch/people" --output "$run" --steps 3000 --size 192 --batch 2 \
  --rate 1e-3 --decay --ema 0.99 --precision bf16 --workers 1 --seed 0 --set resolution=128 --set width=16 --set levels=3 \
  --set adversarial=0 --set unpaired=off --set share=0.6 "${resumed[@]}"

python -m retarget_cli.weights.shipping "$run/weights.safetensors" "weights/$name" \
  --license "Apache-2.0" \
  --made-by "weights/train_pose2video.sh SCRATCH" \
  --provenance "retarget train pose2video from nothing, in bf16: 1800 steps of stage I and 1200 of stage II, of 2 films at 128 x 64 px without opponents, on one CPU core; no VGG-19, its declared substitute; before there was the loss of what is left without the green" \
  --data "240 clips of people of retarget synth (seed 1000; CC0)"
