#!/usr/bin/env bash
# The ablations of REMOT (paper, Tables 3 and 4) after equal training, on people that nobody has seen:
#   benchmarks/remot_ablation.sh SCRATCH [STEPS]
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# STEPS: of each run after 500 of layouts, 64 x 48 px, batches of two films; a step is half a second of one CPU core.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
steps=${2:-600}

retarget synth "$scratch/people" --clips 197 --frames 16 --size 256 --seed 1000
retarget synth "$scratch/people_test" --clips 8 --frames 24 --size 128 --seed 900

learn() { # RUN OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 resumed=()
  shift
  [ -f "$run/config.json" ] && resumed=(--resume)
  OMP_NUM_THREADS=1 retarget train remot --data "$scratch/people" --output "$run" --size 160 --batch 2 --rate 1e-3 \
    --decay --ema 0.99 --precision bf16 --workers 1 --seed 0 --set resolution=64 --set width=16 --set adversarial=0 \
    "${resumed[@]}" "$@"
}

arm() { # RUN OPTIONS...: layouts, the same in all, then what the arms differ in
  local name=$1
  shift
  learn "layouts_$name" --set stages=1:0:0 --steps 500 "$@"
  learn "$name" --set stages=0:2:3 --steps "$steps" --init "$scratch/layouts_$name/weights.safetensors" "$@"
}

arm whole
arm no_alignment --set alignment=off
arm no_texture --set texture=off
arm no_composition --set composition=off

for protocol in self-imitation cross-imitation; do
  retarget eval run "$scratch/people_test" --protocol "$protocol" --size 128 --true-motion -o "$scratch/scores_$protocol" \
    -m mask-ssim -m mask-psnr -m tcm -m l1 -b still \
    -b "remot:weights=$scratch/whole" \
    -b "remot:weights=$scratch/no_alignment" \
    -b "remot:weights=$scratch/no_texture" \
    -b "remot:weights=$scratch/no_composition"
done
