#!/usr/bin/env bash
# The ablations of self-appearance (paper, Table 3) after equal training, on toys and people that nobody has seen:
#   benchmarks/self_appearance_ablation.sh SCRATCH
# SCRATCH: a folder for data and runs; what was finished there is not done again. About an hour and a half of two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
steps=800

retarget synth "$scratch/toys" --kind toy --clips 80 --frames 36 --size 160 --seed 0
retarget synth "$scratch/people" --clips 40 --frames 30 --size 160 --seed 0
retarget synth "$scratch/toys_test" --kind toy --clips 16 --frames 24 --size 128 --seed 900
retarget synth "$scratch/people_test" --clips 8 --frames 24 --size 128 --seed 900

learn() { # RUN OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 resumed=()
  shift
  [ -f "$run/config.json" ] && resumed=(--resume)
  OMP_NUM_THREADS=1 retarget train self-appearance --data "$scratch/toys" --data "$scratch/people" --output "$run" \
    --steps $steps --size 128 --batch 4 --rate 4e-4 --ema 0.99 --set width=24 --set most=192 --workers 1 \
    "${resumed[@]}" "$@"
}

learn full --sources 4
learn no_evolution --sources 4 --set evolution=off
learn no_references --sources 1 --set references=0
learn no_appearance --sources 4 --set appearance=off

for data in toys_test people_test; do
  retarget eval run "$scratch/$data" --preset saa-reconstruction --size 128 -m l1 -m ssim \
    -b "self-appearance:weights=$scratch/full" \
    -b "self-appearance:weights=$scratch/no_evolution" \
    -b "self-appearance:weights=$scratch/no_references,references=0" \
    -b "self-appearance:weights=$scratch/no_appearance" \
    -o "$scratch/scores_$data"
done
