package main

import "os"

func Example() {
	if err := table(os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	//  deposit        tokens     price after    sold at once
	//       10   4.880884817     2.097617697     9.999999999
	//      100  40.032882644      2.89827535    99.999999998
	//      100  31.154401154     3.521363373    99.999999998
	//      100  26.416398696     4.049691347    99.999999998
	//     1000  173.015099795     7.509993343   999.999999999
}
