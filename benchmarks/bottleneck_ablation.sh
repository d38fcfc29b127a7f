#!/usr/bin/env bash
# The ablations of the bottleneck (paper, Tables 3 and 4) after equal training, on people that nobody has seen:
#   benchmarks/bottleneck_ablation.sh SCRATCH [STEPS [PHOTO]]
# SCRATCH: a folder for data and runs; what was finished there is not done again.
# STEPS: of the first three runs, the last two take a fifth; a step is half a second of one CPU core, with opponents a good one.
# PHOTO: no, as published: colours come out of the volumes alone; yes, as in the base weights: the photo itself goes along.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:?name a folder for data and runs}
steps=${2:-2000}
photo=${3:-no}

retarget synth "$scratch/people" --clips 197 --frames 16 --size 256 --seed 1000
retarget synth "$scratch/people_test" --clips 8 --frames 24 --size 128 --seed 900

learn() { # RUN STEPS OPTIONS...: go on where it was stopped, and leave alone what is done
  local run=$scratch/$1 count=$2 resumed=()
  shift 2
  [ -f "$run/config.json" ] && resumed=(--resume)
  OMP_NUM_THREADS=1 retarget train bottleneck --data "$scratch/people" --output "$run" --steps "$count" \
    --size 160 --batch 4 --sources 3 --ema 0.99 --decay --precision bf16 --workers 1 --set resolution=96 \
    --set width=24 --set channels=8 --set photo="$photo" --set background_network=no "${resumed[@]}" "$@"
}

learn full "$steps" --rate 1e-3 --set adversarial=0
learn one_resolution "$steps" --rate 1e-3 --set adversarial=0 --set levels=1
learn no_skips "$steps" --rate 1e-3 --set adversarial=0 --set skips=no
# Random rotations are judged by an opponent; both begin where the full one ended, with opponents.
for rotations in on off; do
  learn "rotations_$rotations" $((steps / 5)) --rate 2e-4 --init "$scratch/full/weights.safetensors" \
    --set adversarial=0.05 --set discriminator_width=16 --set rotations=$rotations
done

judge() { # SCORES OPTIONS...: motion is given, so that nothing but the networks differs
  local scores=$scratch/$1
  shift
  retarget eval run "$scratch/people_test" --size 128 --true-motion --stride 2 -m pixels -o "$scores" "$@"
}

for protocol in self-imitation cross-imitation novel-view; do
  # Table 3: one reference. The same person again, in another one's motion, and from another side.
  judge "table3_$protocol" --protocol "$protocol" \
    -b "bottleneck:weights=$scratch/full" \
    -b "bottleneck:weights=$scratch/one_resolution" \
    -b "bottleneck:weights=$scratch/no_skips" \
    -b "bottleneck:weights=$scratch/rotations_on" \
    -b "bottleneck:weights=$scratch/rotations_off"
  # Table 4: the first one, two and all of the same four references.
  judge "table4_$protocol" --protocol "$protocol" --sources 4 \
    -b "bottleneck:weights=$scratch/full,references=1" \
    -b "bottleneck:weights=$scratch/full,references=2" \
    -b "bottleneck:weights=$scratch/full,references=4"
done
