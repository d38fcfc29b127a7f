#!/usr/bin/env bash
# The ablations of self-appearance (paper, Table 3) after equal training, on toys and people that nobody has seen:
#   benchmarks/self_appearance_ablation.sh SCRATCH
# SCRATCH: a folder for data and runs; what was finished there is not done again. About an hour and a half of two cores.
#
# All four begin with the same trunk, which has neither evolution nor self-appearance: both begin so that they change
# nothing, so what the trainings differ in is the part alone, and not where the detector's keypoints came to lie.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}

retarget synth "$scratch/toys" --kind toy --clips 80 --frames 36 --size 160 --seed 0
retarget synth "$scratch/toys2" --kind toy --clips 240 --frames 20 --size 208 --seed 1000
retarget synth "$scratch/people" --clips 40 --frames 30 --size 160 --seed 0
retarget synth "$scratch/toys_test" --kind toy --clips 16 --frames 24 --size 128 --seed 900
retarget synth "$scratch/people_test" --clips 8 --frames 24 --size 128 --seed 900

learn() { # RUN OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 resumed=()
  shift
  [ -f "$run/config.json" ] && resumed=(--resume)
  OMP_NUM_THREADS=1 retarget train self-appearance --data "$scratch/toys" --data "$scratch/toys2" --data "$scratch/people" \
    --output "$run" --size 128 --batch 4 --rate 4e-4 --precision bf16 --set width=24 --set most=192 --workers 1 \
    --sample-every 400 --save-every 200 "${resumed[@]}" "$@"
}
arm() { # RUN OPTIONS...
  learn "$@" --init "$scratch/trunk/weights.safetensors" --steps 1000 --decay --ema 0.995 --seed 1
}

learn trunk --sources 4 --steps 1600 --ema 0.99 --set evolution=off --set appearance=off
arm whole --sources 4 --set evolution=rk4 --set context=yes --set appearance=on
arm no_evolution --sources 4 --set evolution=off --set appearance=on
arm no_appearance --sources 4 --set evolution=rk4 --set context=yes --set appearance=off
arm no_references --sources 1 --set references=0 --set evolution=rk4 --set context=yes --set appearance=on

for data in toys_test people_test; do
  retarget eval run "$scratch/$data" --preset saa-reconstruction --size 128 -m l1 -m ssim \
    -b "self-appearance:weights=$scratch/whole" \
    -b "self-appearance:weights=$scratch/no_evolution" \
    -b "self-appearance:weights=$scratch/no_appearance" \
    -b "self-appearance:weights=$scratch/no_references,references=0" \
    -o "$scratch/scores_$data"
done
