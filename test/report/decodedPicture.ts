import assert from 'node:assert/strict';
import { decode } from 'fast-png';
import { textLine } from '#src/report/lettering.js';

export type Rgb = readonly [number, number, number];

/** Columns left to right and rows top to bottom, both inclusive. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Around pixels added one by one. */
class CountedBox implements Box {
  right: number;
  bottom: number;
  count = 0;

  constructor(
    public left: number,
    public top: number,
  ) {
    this.right = left;
    this.bottom = top;
  }

  add(x: number, y: number): void {
    this.left = Math.min(this.left, x);
    this.top = Math.min(this.top, y);
    this.right = Math.max(this.right, x);
    this.bottom = Math.max(this.bottom, y);
    this.count += 1;
  }
}

/** A PNG as a viewer sees it. */
export class DecodedPicture {
  /** [height, width], red · 2¹⁶ + green · 2⁸ + blue. */
  readonly packed: Uint32Array;

  private constructor(
    readonly width: number,
    readonly height: number,
    colorAt: (pixel: number) => Rgb,
  ) {
    this.packed = Uint32Array.from({ length: width * height }, (_, i) => pack(colorAt(i)));
  }

  static of(png: Uint8Array): DecodedPicture {
    const { width, height, channels, data, palette } = decode(png, { checkCrc: true });
    return new DecodedPicture(width, height, (i) => {
      if (palette) return [palette[data[i]!]![0]!, palette[data[i]!]![1]!, palette[data[i]!]![2]!];
      if (channels === 1) return [data[i]!, data[i]!, data[i]!];
      assert.equal(channels, 3);
      return [data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!];
    });
  }

  at(x: number, y: number): Rgb {
    assert.ok(x >= 0 && y >= 0 && x < this.width && y < this.height, `(${x}, ${y}) is outside`);
    const color = this.packed[y * this.width + x]!;
    return [color >> 16, (color >> 8) & 255, color & 255];
  }

  /**
   * Smallest box of `area` (default: the picture) around all pixels that `wanted` accepts, and how many those
   * are.
   */
  boxOf(wanted: (color: number) => boolean, area?: Box): CountedBox | undefined {
    const { left, top, right, bottom } = area ?? this.area;
    let box: CountedBox | undefined;
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        if (!wanted(this.packed[y * this.width + x]!)) continue;
        box ??= new CountedBox(x, y);
        box.add(x, y);
      }
    }
    return box;
  }

  /** The box of each colour. */
  boxes(): Map<number, CountedBox> {
    const boxes = new Map<number, CountedBox>();
    this.packed.forEach((color, i) => {
      const [x, y] = [i % this.width, Math.floor(i / this.width)];
      const box = boxes.get(color) ?? new CountedBox(x, y);
      box.add(x, y);
      boxes.set(color, box);
    });
    return boxes;
  }

  get area(): Box {
    return { left: 0, top: 0, right: this.width - 1, bottom: this.height - 1 };
  }

  /** Everything that is not paper. */
  ink(area?: Box): CountedBox | undefined {
    return this.boxOf((color) => color !== 0xffffff, area);
  }

  /** Places in `area` at which exactly `text` is written in `color`, as boxes of its ink. */
  find(text: string, size: number, color: Rgb = [0, 0, 0], area = this.area): Box[] {
    const mask = textLine(text, size);
    const inked = Array.from(mask.alpha.keys()).filter((i) => mask.alpha[i]! > 0);
    const top = Math.floor(inked[0]! / mask.width);
    const bottom = Math.floor(inked.at(-1)! / mask.width);
    const expected = inked.map((i) => {
      const [r, g, b] = color.map((ink) => Math.round(255 + (mask.alpha[i]! / 255) * (ink - 255)));
      const offset = (Math.floor(i / mask.width) - top) * this.width + (i % mask.width);
      return { offset, color: pack([r!, g!, b!]) };
    });
    const boxes: Box[] = [];
    for (let y = area.top; y + bottom - top <= area.bottom; y++) {
      for (let x = area.left; x + mask.width - 1 <= area.right; x++) {
        const corner = y * this.width + x;
        if (expected.every((pixel) => this.packed[corner + pixel.offset] === pixel.color)) {
          boxes.push({ left: x, top: y, right: x + mask.width - 1, bottom: y + bottom - top });
        }
      }
    }
    return boxes;
  }
}

export function pack([red, green, blue]: Rgb): number {
  return (red << 16) + (green << 8) + blue;
}

/** Nothing touches the picture's edges: nothing is cut off. */
export function assertMargins(picture: DecodedPicture, margin = 20): void {
  const ink = picture.ink()!;
  assert.ok(ink.left >= margin && ink.top >= margin, `ink begins at (${ink.left}, ${ink.top})`);
  assert.ok(ink.right < picture.width - margin, `ink reaches column ${ink.right} of ${picture.width}`);
  assert.ok(ink.bottom < picture.height - margin, `ink reaches row ${ink.bottom} of ${picture.height}`);
}

export function middleOf(box: Box): { x: number; y: number } {
  return { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
}
