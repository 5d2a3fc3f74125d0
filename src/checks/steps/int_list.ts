// A list of integers that is emptied often: it keeps its memory, as an array whose length is set to 0 does not.

export class IntList {
  items = new Int32Array(64)
  length = 0

  push(value: number): void {
    if (this.length === this.items.length) {
      const longer = new Int32Array(2 * this.length)
      longer.set(this.items)
      this.items = longer
    }
    this.items[this.length++] = value
  }

  clear(): void {
    this.length = 0
  }
}
